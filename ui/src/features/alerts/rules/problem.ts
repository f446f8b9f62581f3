import { ApiError } from '@/shared/api/client'

export interface ConditionProblem {
  message: string
  /** the character at which reading ended, from 1; undefined if the server names none */
  column: number | undefined
}

/** What the server says of the condition, by its column. */
export function conditionProblem(error: Error | null): ConditionProblem | null {
  const message = fieldProblem(error, 'when')
  if (message === undefined) return null
  const [, column] = /column (\d+):/.exec(message) ?? []
  return {
    message: capital(message.replace(/^column \d+: /, '')),
    column: column ? Number(column) : undefined,
  }
}

/** What the server says of a field of the rule, wherever the rule stands in the request. */
export function fieldProblem(error: Error | null, field: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined
  return Object.entries(error.fields).find(([place]) => place.split('.').at(-1) === field)?.[1]
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
