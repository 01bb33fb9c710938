// The command: its arguments, what it prints, and its exit code.
import { parseArgs } from 'node:util'
import { crash, faultNames, type CrashResult } from './crash.js'

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '50' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      only: { type: 'string', default: '' },
    },
  })
  const [rounds, seed] = [Number(values.rounds), Number(values.seed)]
  if (!Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed)) {
    console.error('--rounds N --seed S [--only FAULT]: N and S are whole numbers')
    return 1
  }
  const log = (line: string) => console.error(line)
  // So that what is to be done at exit is done.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
  const only = faultNames.filter(name => name.includes(values.only))
  log(`seed ${seed}`)
  const result = await crash({ rounds, seed, only, evidence: true, log })
  for (const [fault, { rounds, open, kept, refused }] of result.coverage) {
    log(`${fault}: ${rounds} rounds, ${open} calls open at the fault, ${kept} of them kept; ${refused} refused`)
  }
  console.log(lineOf(result))
  return isClean(result) ? 0 : 1
}

export function lineOf(result: CrashResult): string {
  const { rounds, acknowledged, lost, duplicated, torn, hung, unexpected, deletedByBrowser } = result
  const numbers = {
    ...{ rounds, acknowledged, lost, duplicated, torn, hung },
    ...(unexpected > 0 ? { unexpected } : {}),
    ...(deletedByBrowser > 0 ? { 'deleted by the browser': deletedByBrowser } : {}),
  }
  return Object.entries(numbers)
    .map(([name, number]) => `${name} ${number}`)
    .join(', ')
}

export function isClean({ lost, duplicated, torn, hung, unexpected }: CrashResult): boolean {
  return lost + duplicated + torn + hung + unexpected === 0
}
