import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { read, type Schemas, useApi } from '@/shared/api/client'
import { given, usePages } from '@/shared/api/pages'
import { useStream, useSubject } from '@/shared/stream'

export type Alert = Schemas['Alert']
export type Rule = Schemas['RuleView']
export type RuleTest = Schemas['RuleTest']
export type Severity = Alert['severity']

export interface AlertFilter {
  symbol?: string | undefined
  rule?: string | undefined
  severity?: Severity | undefined
  acknowledged?: 'true' | 'false' | undefined
}

const alertsKey = ['alerts'] as const
const rulesKey = ['rules'] as const
/** how many that came live are kept beside what was read */
const liveKept = 500

/** Fired alerts, the newest first: stored ones by pages, and those that come live. */
export function useAlerts(filter: AlertFilter) {
  const api = useApi()
  const client = useQueryClient()
  const hub = useStream()
  const pages = usePages([...alertsKey, filter], (cursor, signal) => {
    const query = { ...given(filter), ...cursor, limit: 100 }
    return read('GET /api/alerts', api.GET('/api/alerts', { params: { query }, signal }))
  })
  const [live, setLive] = useState<readonly Alert[]>([])
  useSubject<Alert>('alerts.>', (messages) => {
    const news = messages.filter(({ view }) => !view).map(({ data }) => withoutWord(data))
    setLive((before) => merge(news, before).slice(0, liveKept))
  })
  useEffect(
    () =>
      hub.onGap((stream) => {
        if (stream === '' || stream === 'ALERTS') void client.invalidateQueries({ queryKey: alertsKey })
      }),
    [hub, client],
  )
  const stored = pages.data?.pages.flatMap((page) => page.alerts) ?? []
  // What is stored knows who acknowledged it; what came live may not be stored yet.
  const alerts = merge(stored, live).filter((alert) => passes(alert, filter))
  return { ...pages, alerts }
}

/** An alert as it comes from the stream: nobody can have acknowledged it there. */
function withoutWord(alert: Alert): Alert {
  return {
    ...alert,
    acknowledgedAt: alert.acknowledgedAt ?? null,
    acknowledgedBy: alert.acknowledgedBy ?? null,
  }
}

/** Both, each alert once as the first has it, the newest first. */
export function merge(first: readonly Alert[], second: readonly Alert[]): Alert[] {
  const all = new Map<string, Alert>()
  for (const alert of [...first, ...second]) {
    if (!all.has(alert.id)) all.set(alert.id, alert)
  }
  return [...all.values()].sort((a, b) => Date.parse(b.time) - Date.parse(a.time))
}

export function passes(alert: Alert, { symbol, rule, severity, acknowledged }: AlertFilter): boolean {
  return (
    (!symbol || alert.symbol === symbol) &&
    (!rule || alert.rule === rule) &&
    (!severity || alert.severity === severity) &&
    (!acknowledged || (alert.acknowledgedAt !== null) === (acknowledged === 'true'))
  )
}

export function useAcknowledge() {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: Schemas['Acknowledgement']) =>
      read('POST /api/alerts/acknowledge', api.POST('/api/alerts/acknowledge', { body })),
    onSettled: () => client.invalidateQueries({ queryKey: alertsKey }),
  })
}

export function useRules() {
  const api = useApi()
  return useQuery({
    queryKey: [...rulesKey, 'all'],
    queryFn: async ({ signal }) => {
      const all: Rule[] = []
      for (let cursor = ''; ; ) {
        const query = { limit: 200, ...(cursor && { cursor }) }
        const page = await read('GET /api/rules', api.GET('/api/rules', { params: { query }, signal }))
        all.push(...page.rules)
        if (!page.next) return all
        cursor = page.next
      }
    },
    // Rules change at other places too: the chart, the command line.
    refetchInterval: 10_000,
    retry: 1,
  })
}

/** What a form can say of a rule; all else is the server's. */
export type RuleDraft = Omit<Rule, 'revision' | 'condition' | 'judged' | 'fault' | 'created' | 'updated'> & {
  /** of the stored rule that it changes */
  revision?: number
}

export function useSaveRule() {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (draft: RuleDraft) => {
      const body: Rule = { ...draft, revision: draft.revision ?? 0 }
      const { id } = draft
      if (!id) return read('POST /api/rules', api.POST('/api/rules', { body }))
      // A rule that somebody else has changed meanwhile is not overwritten.
      const header = draft.revision
        ? { 'If-Match': `"${draft.revision}"` }
        : { 'If-None-Match': '*' as const }
      return read(
        `PUT /api/rules/${id}`,
        api.PUT('/api/rules/{id}', { params: { path: { id }, header }, body }),
      )
    },
    onSettled: () => client.invalidateQueries({ queryKey: rulesKey }),
  })
}

export function useDeleteRule() {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) =>
      read(`DELETE /api/rules/${id}`, api.DELETE('/api/rules/{id}', { params: { path: { id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: rulesKey }),
  })
}

/** What a rule would have done since a moment; null asks nothing. */
export function useRuleTest(draft: RuleDraft | null, from: number) {
  const api = useApi()
  return useQuery({
    queryKey: [...rulesKey, 'test', draft, from],
    queryFn: ({ signal }) => {
      const rule: Rule = { ...(draft as RuleDraft), revision: 0 }
      const body = { rule, from: new Date(from).toISOString() }
      return read('POST /api/rules/test', api.POST('/api/rules/test', { body, signal }))
    },
    enabled: draft !== null,
    retry: false,
    staleTime: 30_000,
  })
}

/** The word that acknowledgements are signed with, kept in this browser. */
export function useSigner(): [string, (name: string) => void] {
  const [name, setName] = useState(() => localStorage.getItem('streamflow-name') ?? 'operator')
  return [
    name,
    (next) => {
      localStorage.setItem('streamflow-name', next)
      setName(next)
    },
  ]
}
