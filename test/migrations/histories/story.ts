// A history that failed, as a script that can be read.
import { print } from './declare.js'
import type { Play } from './play.js'
import { show } from './spec.js'

export function tell({ play, to, wrong }: { play: Play; to: number; wrong: readonly string[] }): string {
  const releases = play.releases.map((release, i) => `// ---- release ${i}\n${print(release)}`).slice(0, to + 1)
  const rows = play.world.flatMap(({ table, model, orphan, rows }) => [
    `// ${table} (${model}${orphan ? ', orphan' : ''})`,
    ...rows.map(({ rowid, values }) => `//   ${rowid}: ${show(values)}`),
  ])
  return [
    '',
    ...releases,
    `// ---- stored, at release ${play.at}`,
    ...rows,
    `// ---- onDestructive: '${play.mode}', opened with release ${to}`,
    ...wrong.map(text => `// ${text}`),
  ].join('\n')
}
