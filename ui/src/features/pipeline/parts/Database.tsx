import { formatBytes, formatKnown, formatRate } from '@/shared/ops/numbers'
import { Figures } from '@/shared/ops/pieces'
import { Empty } from '@/shared/panel/Panel'
import type { PipelineReading } from '../data'

export function Database({ database }: { database: PipelineReading['database'] }) {
  if (!database)
    return <Empty title="The database does not answer">Prices go on; what is older is not there.</Empty>
  return (
    <Figures
      figures={[
        { name: 'on disk', value: formatBytes(database.bytes) },
        { name: 'rows written', value: formatRate(database.rowsPerSecond) },
        { name: 'transactions', value: formatRate(database.commitsPerSecond) },
        { name: 'connections', value: formatKnown(database.connections) },
        { name: 'ticks stored', value: formatKnown(database.stored), title: 'Offsets over all partitions' },
      ]}
    />
  )
}
