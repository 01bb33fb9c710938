// Plays a history: rows are made, later releases are loaded, and after each start the database is compared with the
// oracle's.
import { sql } from '../../../src/index.js'
import type { SqlQuery } from '../../../src/shared/sql.js'
import { unwrap, type LocalDatabase } from '../../support/local.js'
import { additionOf, additionsIn, type Addition } from './additions.js'
import { differences, type Expected } from './compare.js'
import { Disk, look, type Saved } from './disk.js'
import { releasesOf, type History, type Mode, type Stay } from './generator.js'
import { appValue, heldKind } from './kinds.js'
import { migrate, type Verdict } from './oracle.js'
import { registryDifferences } from './registry.js'
import { explain, failureOf, wrongRefusal } from './refusal.js'
import { fittingRow, withRow, type NewRow } from './rows.js'
import { find, type Found } from './schema.js'
import { ensureModels, freshAt, lookAt, start } from './session.js'
import { accessorOf, keyOf, modelNamed, show, type ModelSpec, type Release } from './spec.js'
import { tell } from './story.js'
import { hasRowidKey, newTable, tableOf, violationsOf, type World } from './world.js'

/** How often something happened: so that a run cannot be green because nothing ran. */
export interface Tally {
  migrated: number
  refused: number
  unclear: number
  rows: number
}

export const newTally = (): Tally => ({ migrated: 0, refused: 0, unclear: 0, rows: 0 })

/** Differences that were found; the message tells the whole story. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch'
}

const HOUR = 3_600_000

export class Play {
  readonly mode: Mode
  releases: readonly Release[]
  readonly disk = new Disk()
  readonly #tally: Tally
  world: World = []
  /** The release that the database was last opened with. */
  at: number
  #now = 1_700_000_000_000
  #serial = 100
  #additions: readonly Addition[] = []
  #additionCount = 0
  #found!: Found
  readonly #fresh = new Map<number, Found>()

  constructor(history: Pick<History, 'mode' | 'models' | 'changes' | 'start'>, tally: Tally) {
    this.mode = history.mode
    this.releases = releasesOf(history)
    this.at = history.start % this.releases.length
    this.#tally = tally
  }

  get release(): Release {
    return this.releases[this.at]!
  }

  get last(): number {
    return this.releases.length - 1
  }

  /** The first start, and all that is done there. */
  async begin(stay: Stay): Promise<void> {
    const db = await this.open(this.at)
    await this.#touch(db, stay)
    await this.#fill(db, stay)
    await db.close()
    await this.#compare('after the first start')
  }

  /** Time passes between two starts only when it is told to. */
  wait(): void {
    this.#now += HOUR
  }

  open(at: number, parts = {}, autoMigrate = true): Promise<LocalDatabase<any>> {
    const { disk, mode } = this
    return start({ disk, release: this.releases[at]!, version: at + 1, mode, now: this.#now, autoMigrate, parts })
  }

  /** What a start at that release has to make of the database. */
  verdict(to: number): Verdict {
    return migrate(this.world, this.releases[to]!, this.mode, this.#now)
  }

  /** Loads a later release, and stays there if it could be loaded. */
  async jump(to: number, stay: Stay, isFirstTry = true): Promise<void> {
    const verdict = this.verdict(to)
    const additions = additionsIn(verdict.world, verdict.sources, this.#additions)
    if (verdict.unclear.length > 0 || !additions) {
      this.#tally.unclear++
      return
    }
    const { byHand } = stay
    if (verdict.issues.length + verdict.broken.length > 0) return this.#refused(to, verdict, byHand)
    const bytes = this.disk.bytes()
    const { db, failure } = await this.#migrate(to, byHand)
    if (failure) this.fail(to, [`it was refused: ${failure.message}`])
    const before = { found: this.#found, world: this.world }
    this.world = verdict.world
    this.at = to
    if (byHand) this.#allMade()
    this.#additions = additions
    this.#tally.migrated++
    await this.#compare('after the migration', before.found)
    if (isFirstTry) this.#compareBackups(verdict, bytes)
    const registry = registryDifferences(this.#found, this.world, before, verdict.sources)
    if (registry.length > 0) this.fail(to, registry)
    await this.#touch(db, stay)
    await this.#compare('with its new tables')
    await this.#fill(db, stay)
    await db.close()
    await this.#compare('with its new rows')
    await this.#reopen()
  }

  /** Opens a release and has it migrate, by itself or when it is asked to. */
  async #migrate(to: number, byHand: boolean) {
    const db = await this.open(to, {}, !byHand)
    if (!byHand) return { db, failure: await failureOf(unwrap(db.engine.ready())) }
    const bytes = this.disk.bytes()
    const planned = await failureOf(unwrap(db.engine.schema.plan()))
    if (!this.disk.bytes().equals(bytes)) this.fail(to, ['plan() has changed something'])
    const failure = await failureOf(unwrap(db.engine.schema.apply()))
    if (planned && !failure) this.fail(to, [`there was no plan: ${planned.message}`])
    return { db, failure }
  }

  /** Before values are given up a copy of all that there was is kept, and only then. */
  #compareBackups({ loses }: Verdict, before: Buffer): void {
    const { backups } = this.disk
    const isRight = loses ? backups.length === 1 && backups[0]!.equals(before) : backups.length === 0
    if (!isRight)
      this.fail(this.at, [`${backups.length} copies were kept, and values ${loses ? 'were' : 'were not'} given up`])
  }

  /** The same models again: nothing to do, seen with one statement. */
  async #reopen(): Promise<void> {
    const bytes = this.disk.bytes()
    const db = await this.open(this.at)
    const { applied } = await unwrap(db.engine.ready())
    const { statements } = await unwrap(db.engine.metrics())
    await db.close()
    const wrong = [
      ...(applied.length > 0 ? [`ran ${applied.map(step => step.description).join()}`] : []),
      ...(statements.executed === 1 && statements.control === 0 ? [] : [`statements: ${show({ ...statements })}`]),
      ...(this.disk.bytes().equals(bytes) ? [] : ['wrote something']),
    ]
    if (wrong.length > 0)
      this.fail(
        this.at,
        wrong.map(text => `opened again with the same models: ${text}`),
      )
  }

  async #refused(to: number, verdict: Verdict, byHand: boolean): Promise<void> {
    const bytes = this.disk.bytes()
    const { db, failure } = await this.#migrate(to, byHand)
    const wrong = failure ? wrongRefusal(failure, verdict) : ['it was not refused']
    await db.close()
    if (failure?.code === 'MIGRATION_DESTRUCTIVE' && !this.disk.bytes().equals(bytes)) wrong.push('it wrote something')
    const found = await lookAt(this.disk)
    const still = differences(found, await this.#expected(this.#found))
    // The old release goes on as if nothing had been tried.
    const old = await this.open(this.at)
    const again = await failureOf(unwrap(old.engine.ready()))
    await old.close()
    if (again) wrong.push(`the old release cannot be opened any more: ${again.message}`)
    wrong.push(...still.map(text => `after the refusal: ${text}`))
    if (wrong.length > 0) this.fail(to, [...wrong, ...explain(verdict)])
    await this.#compare('opened by the old release again')
    this.#tally.refused++
  }

  /** Makes the tables that are not there yet, but for some. */
  async #touch(db: LocalDatabase<any>, { untouched, drift }: Stay): Promise<void> {
    const left = new Set(untouched.map(n => n % this.release.length))
    const wanted = this.release.filter((_, i) => !left.has(i))
    if (wanted.length > 0)
      await ensureModels(
        db,
        wanted.map(model => model.name),
      )
    const made = this.#reached(wanted).filter(model => !tableOf(this.world, model.name))
    this.world = [...this.world, ...made.map(model => newTable(model, this.release))]
    if (!drift) return
    const tables = this.world.filter(table => !table.orphan)
    const { query, addition } = additionOf(drift, ++this.#additionCount, tables)
    await this.#sql(db, query)
    this.#additions = [...this.#additions, addition]
  }

  /** The app's own SQL: it makes sure of every model. */
  async #sql(db: LocalDatabase<any>, query: SqlQuery<unknown>): Promise<void> {
    await this.#write(() => db.run(query))
    this.#allMade()
  }

  #allMade(): void {
    const rest = this.release.filter(model => !tableOf(this.world, model.name))
    this.world = [...this.world, ...rest.map(model => newTable(model, this.release))]
  }

  /** These models and all that they refer to. */
  #reached(models: readonly ModelSpec[]): readonly ModelSpec[] {
    const reached = new Set(models)
    for (const model of reached) {
      for (const { ref } of model.fields) if (ref) reached.add(modelNamed(this.release, ref.model)!)
    }
    return [...reached]
  }

  async #fill(db: LocalDatabase<any>, stay: Stay): Promise<void> {
    for (const n of stay.deletes) await this.#delete(db, n)
    // In bulk: the rows of one model that stand side by side.
    const groups: { model: ModelSpec; rows: NewRow[] }[] = []
    for (const seed of stay.rows) {
      const model = this.release[seed.m % this.release.length]!
      if (!tableOf(this.world, model.name)) continue
      const row = fittingRow(this.world, this.release, model, seed, ++this.#serial, this.#now)
      if (!row) continue
      this.world = withRow(this.world, model.name, row.stored)
      this.#tally.rows++
      if (groups.at(-1)?.model === model) groups.at(-1)!.rows.push(row)
      else groups.push({ model, rows: [row] })
    }
    for (const { model, rows } of groups) {
      const table = db.tables[accessorOf(model)]!
      if (stay.bulk) await this.#write(() => table.bulkCreate(rows.map(row => row.data)))
      else for (const row of rows) await this.#write(() => table.create(row.data))
    }
    if (stay.far) await this.#spread(db)
  }

  /** Moves the last row of each table whose rowid is nobody's key. */
  async #spread(db: LocalDatabase<any>): Promise<void> {
    for (const table of this.world) {
      const model = modelNamed(this.release, table.model)
      const last = table.rows.at(-1)
      if (table.orphan || !model || hasRowidKey(model) || !last || last.rowid > 2 ** 40) continue
      const rowid = Number(last.rowid) + 70_000 * 2 ** table.rows.length
      if (table.rows.some(row => row.rowid === rowid)) continue
      await this.#sql(db, sql`update ${sql.id(table.table)} set _rowid_ = ${rowid} where _rowid_ = ${last.rowid}`)
      const moved = { ...table, rows: [...table.rows.slice(0, -1), { ...last, rowid }] }
      this.world = this.world.map(other => (other === table ? moved : other))
    }
  }

  async #write(write: () => Promise<unknown>): Promise<void> {
    const failure = await failureOf(write())
    if (failure) this.fail(this.at, [`a row could not be written: ${failure.message}`])
  }

  /** Deletes one row that no other refers to. */
  async #delete(db: LocalDatabase<any>, n: number): Promise<void> {
    const all = this.world.filter(table => !table.orphan).flatMap(table => table.rows.map(row => ({ table, row })))
    const chosen = all[n % all.length]
    const model = chosen && modelNamed(this.release, chosen.table.model)
    if (!model) return
    const without = this.world.map(table =>
      table === chosen.table ? { ...table, rows: table.rows.filter(row => row !== chosen.row) } : table,
    )
    if (violationsOf(without, this.release).length > 0) return
    const key = keyOf(model)
    const id = appValue(heldKind(key, this.release), chosen.row.values[key.column]!)
    // An app that has another kind of key by now cannot say this one.
    if (typeof id === 'bigint' && key.kind !== 'bigint') return
    await this.#write(() => db.tables[accessorOf(model)]!.delete(id))
    this.world = without
  }

  /** What is saved has to be as before a start at that release, or as after it. */
  async isOldOrNew(saved: Saved, to: number): Promise<void> {
    const found = await look(saved, find)
    const asOld = differences(found, await this.#expected(this.#found))
    const asNew = differences(found, await this.#expected(this.#found, to, this.verdict(to).world))
    if (asOld.length === 0 || asNew.length === 0) return
    const told = [...asOld.map(text => `not as before: ${text}`), ...asNew.map(text => `not as after: ${text}`)]
    this.fail(to, told)
  }

  async #expected(before: Found, at = this.at, world = this.world): Promise<Expected> {
    const release = this.releases[at]!
    let fresh = this.#fresh.get(at)
    if (!fresh) this.#fresh.set(at, (fresh = await freshAt(release, this.mode)))
    const mayHave = release.filter(model => !tableOf(world, model.name)).map(model => model.table)
    const others = this.#additions.map(({ listed }) => listed).sort()
    return { world, fresh, before, mayHave, others }
  }

  async #compare(when: string, before: Found = this.#found): Promise<void> {
    const found = await lookAt(this.disk)
    const wrong = differences(found, await this.#expected(before))
    this.#found = found
    if (wrong.length > 0)
      this.fail(
        this.at,
        wrong.map(text => `${when}: ${text}`),
      )
  }

  fail(to: number, wrong: readonly string[]): never {
    throw new Mismatch(tell({ play: this, to, wrong }))
  }
}
