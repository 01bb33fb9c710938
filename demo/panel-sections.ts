// The sections of the panel: numbers with a name, and why they matter.
import type { EnsureMetrics, FlushMetrics, Metrics, MigrationEntry, QueryEvent, StatementMetrics } from 'dataflow-edge'
import { h } from './dom.js'
import { formatBytes, formatMoment, formatMs, formatNumber } from './format.js'

type Fact = readonly [name: string, value: string, id?: string]

function section(title: string, text: string, facts: readonly Fact[], ...more: HTMLElement[]): HTMLElement {
  const pairs = facts.map(([name, value, id]) => h('div', {}, h('dt', {}, name), h('dd', { id }, value)))
  return h('section', {}, h('h3', {}, title), h('p', {}, text), h('dl', {}, ...pairs), ...more)
}

export function statementsSection(
  perOperation: number | null,
  { executed, prepared, hits }: StatementMetrics,
  queries: HTMLElement,
): HTMLElement {
  const shown = perOperation === null ? 'not counted yet' : String(Math.round(perOperation * 100) / 100)
  return section(
    'Statements',
    'Once a table has been checked, an operation runs its own SQL and nothing else.',
    [
      ['Per operation, just now', shown, perOperation === null ? 'not-counted' : 'per-operation'],
      ['Run in this worker', formatNumber(executed)],
      ['Compiled', formatNumber(prepared)],
      ['Found compiled', formatNumber(hits)],
    ],
    queries.children.length > 0
      ? queries
      : h('p', { class: 'note-small' }, 'Search or write something to see its SQL here.'),
  )
}

export function queryItem({ model, op, ms, cached, sql }: QueryEvent): HTMLElement {
  return h(
    'li',
    {},
    h(
      'details',
      {},
      h(
        'summary',
        {},
        h('code', {}, [model, op].filter(Boolean).join('.')),
        h('span', {}, `${cached ? '' : 'compiled, '}${formatMs(ms)}`),
      ),
      h('pre', {}, sql),
    ),
  )
}

export function checksSection({ hits, misses, joins, hitRate, totalCheckMs }: EnsureMetrics): HTMLElement {
  return section('Table checks', 'The worker remembers which tables it has made sure of: each is checked once.', [
    ['Hits', formatNumber(hits), 'ensure-hits'],
    ['Misses', formatNumber(misses), 'ensure-misses'],
    ['Joins', formatNumber(joins)],
    ['Hit rate', `${(hitRate * 100).toFixed(1)} %`],
    ['Spent on checks', formatMs(totalCheckMs)],
  ])
}

export function storageSection({
  baseBytes,
  logBytes,
  lastMs,
  pending,
  checkpoints,
  flushes,
  lagP50,
}: FlushMetrics): HTMLElement {
  return section('Storage', 'A commit saves what it changed to IndexedDB; a saved promise is a saved note.', [
    ['Database', formatBytes(baseBytes), 'base-bytes'],
    ['Log of changes', formatBytes(logBytes)],
    ['Last save', formatMs(lastMs)],
    ['Commit to saved, median', formatMs(lagP50)],
    ['Saves', formatNumber(flushes)],
    ['Waiting to be saved', formatNumber(pending)],
    ['Checkpoints', formatNumber(checkpoints)],
  ])
}

export function migrationsSection(history: readonly MigrationEntry[]): HTMLElement {
  const entries = history.map(({ name, status, appliedAt, checksum }) =>
    h(
      'li',
      {},
      h('strong', {}, name),
      ' ',
      h('span', {}, [status, appliedAt && formatMoment(appliedAt)].filter(Boolean).join(', ')),
      ' ',
      h('code', { title: checksum }, checksum.slice(0, 8)),
    ),
  )
  return section(
    'Migrations',
    'Tables are made when they are first used, and the database remembers how.',
    [],
    h('ol', { class: 'migrations' }, ...entries),
  )
}

export function tabSection(text: string, rpc: Metrics['rpc'] | null): HTMLElement {
  if (!rpc) return section('This tab', text, [])
  return section('This tab', text, [
    ['Messages to the worker', formatNumber(rpc.calls)],
    ['Median', formatMs(rpc.p50)],
    ['95 of 100 within', formatMs(rpc.p95)],
  ])
}
