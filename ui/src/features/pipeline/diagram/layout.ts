export interface Way {
  from: string
  to: string
  /** the places between them, as kind:name */
  vias: string[]
}

export interface Place {
  name: string
  x: number
  y: number
}

export interface Line extends Way {
  /** the corners that it bends at, from its source to its target */
  points: { x: number; y: number }[]
}

export interface Layout {
  width: number
  height: number
  places: Place[]
  lines: Line[]
}

export interface Sizes {
  width: number
  height: number
  gapX: number
  gapY: number
  /** room that a line takes where it passes a column */
  lane: number
}

export const sizes: Sizes = { width: 190, height: 44, gapX: 36, gapY: 12, lane: 8 }

interface Slot {
  id: string
  /** a node's name; undefined of a line that passes by */
  name?: string
  before: string[]
  after: string[]
}

/** Edges that join the same two nodes are one way through several places. */
export function joinEdges(edges: readonly { from: string; to: string; via: string }[]): Way[] {
  const ways = new Map<string, Way>()
  for (const { from, to, via } of edges) {
    const key = `${from}\n${to}`
    const way = ways.get(key) ?? { from, to, vias: [] }
    way.vias.push(via)
    ways.set(key, way)
  }
  return [...ways.values()]
}

/**
 * Lays a graph out in columns (Sugiyama): a node stands right of all that lead
 * to it, a long line takes a lane in each column that it passes, and the order in
 * a column follows the neighbours', so that few lines cross.
 */
export function layOut(names: readonly string[], ways: readonly Way[], size: Sizes = sizes): Layout {
  const levels = levelsOf(names, ways)
  const columns: Slot[][] = Array.from({ length: Math.max(0, ...levels.values()) + 1 }, () => [])
  const slots = new Map<string, Slot>()
  const add = (id: string, level: number, name?: string) => {
    const slot: Slot = { id, before: [], after: [], ...(name !== undefined && { name }) }
    slots.set(id, slot)
    columns[level]?.push(slot)
  }
  for (const name of names) add(name, levels.get(name) ?? 0, name)
  const chains = ways.map((way) => {
    const [start, end] = [levels.get(way.from) ?? 0, levels.get(way.to) ?? 0]
    const chain = [way.from]
    for (let level = start + 1; level < end; level++) {
      const id = `${way.from}\n${way.to}\n${level}`
      add(id, level)
      chain.push(id)
    }
    chain.push(way.to)
    return chain
  })
  for (const chain of chains) {
    for (let at = 1; at < chain.length; at++) {
      slots.get(chain[at - 1] ?? '')?.after.push(chain[at] ?? '')
      slots.get(chain[at] ?? '')?.before.push(chain[at - 1] ?? '')
    }
  }
  untangle(columns)
  return place(columns, ways, chains, size)
}

/** The column of each node: one more than the farthest of those that lead to it. A circle is cut. */
function levelsOf(names: readonly string[], ways: readonly Way[]): Map<string, number> {
  const levels = new Map(names.map((name) => [name, 0]))
  for (let round = 0; round < names.length; round++) {
    let changed = false
    for (const { from, to } of ways) {
      const next = (levels.get(from) ?? 0) + 1
      if (next > (levels.get(to) ?? 0) && next < names.length) {
        levels.set(to, next)
        changed = true
      }
    }
    if (!changed) break
  }
  return levels
}

/** Sorts each column by where the neighbours stand, to the right and back again. */
function untangle(columns: Slot[][]): void {
  const sortBy = (column: Slot[] | undefined, other: Slot[] | undefined, side: 'before' | 'after') => {
    if (!column || !other) return
    const rank = new Map(other.map(({ id }, at) => [id, at / Math.max(1, other.length - 1)]))
    const weight = new Map(
      column.map((slot, at) => {
        const ranks = slot[side].flatMap((id) => rank.get(id) ?? [])
        const own = at / Math.max(1, column.length - 1)
        return [slot.id, ranks.length === 0 ? own : ranks.reduce((a, b) => a + b) / ranks.length]
      }),
    )
    column.sort((a, b) => (weight.get(a.id) ?? 0) - (weight.get(b.id) ?? 0))
  }
  for (let sweep = 0; sweep < 8; sweep++) {
    for (let at = 1; at < columns.length; at++) sortBy(columns[at], columns[at - 1], 'before')
    for (let at = columns.length - 2; at >= 0; at--) sortBy(columns[at], columns[at + 1], 'after')
  }
}

function place(columns: Slot[][], ways: readonly Way[], chains: string[][], size: Sizes): Layout {
  const tall = (slot: Slot) => (slot.name === undefined ? size.lane : size.height)
  const heights = columns.map((column) =>
    column.reduce((sum, slot) => sum + tall(slot) + size.gapY, -size.gapY),
  )
  const height = Math.max(0, ...heights)
  const centre = new Map<string, { x: number; y: number }>()
  const places: Place[] = []
  columns.forEach((column, level) => {
    const x = level * (size.width + size.gapX)
    let y = (height - (heights[level] ?? 0)) / 2
    for (const slot of column) {
      centre.set(slot.id, { x, y: y + tall(slot) / 2 })
      if (slot.name !== undefined) places.push({ name: slot.name, x, y })
      y += tall(slot) + size.gapY
    }
  })
  const lines = ways.map((way, at) => {
    const chain = chains[at] ?? []
    const points = chain.flatMap((id, index) => {
      const { x, y } = centre.get(id) ?? { x: 0, y: 0 }
      if (index === 0) return [{ x: x + size.width, y }]
      return index === chain.length - 1
        ? [{ x, y }]
        : [
            { x, y },
            { x: x + size.width, y },
          ]
    })
    return { ...way, points }
  })
  const width = columns.length * (size.width + size.gapX) - size.gapX
  return { width: Math.max(0, width), height, places, lines }
}

/** A line as the path of an SVG: level at every corner. */
export function linePath(points: readonly { x: number; y: number }[]): string {
  return points
    .map(({ x, y }, at) => {
      const before = points[at - 1]
      if (!before) return `M${x} ${y}`
      if (before.y === y) return `L${x} ${y}`
      const middle = (before.x + x) / 2
      return `C${middle} ${before.y} ${middle} ${y} ${x} ${y}`
    })
    .join('')
}
