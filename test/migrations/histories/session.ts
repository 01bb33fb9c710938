// Starts of an app on a disk: each with the models of one release.
import { fingerprintOf } from '../../../src/fingerprint.js'
import { resolveModels } from '../../../src/resolve.js'
import { systemClock } from '../../../worker/clock.js'
import type { EngineParts } from '../../../worker/engine.js'
import { localDatabase, unwrap, type LocalDatabase } from '../../support/local.js'
import { migrationOptions } from './contract.js'
import { declare } from './declare.js'
import { Disk, look } from './disk.js'
import type { Mode } from './generator.js'
import { find, type Found } from './schema.js'
import type { Release } from './spec.js'

export interface Start {
  readonly disk: Disk
  readonly release: Release
  /** The app's own number of the release: a later start has a higher one. */
  readonly version: number
  readonly mode: Mode
  /** What the clock says, as long as this start lasts. */
  readonly now: number
  readonly autoMigrate?: boolean
  readonly parts?: Partial<EngineParts>
}

export async function start({
  disk,
  release,
  version,
  mode,
  now,
  autoMigrate = true,
  parts = {},
}: Start): Promise<LocalDatabase<any>> {
  const models = declare(release)
  const definitions = [...resolveModels(models).values()].map(({ definition }) => definition)
  return localDatabase(models, {
    fingerprint: await fingerprintOf(definitions),
    parts: { clock: { ...systemClock, now: () => now }, openStorage: () => disk.openStorage(), ...parts },
    // Saved, as far as the engine knows.
    storage: 'indexeddb',
    autoMigrate,
    ...migrationOptions(mode, version),
  })
}

export const ensureModels = (db: LocalDatabase<any>, models: readonly string[]) =>
  unwrap(db.engine.schema.ensure(models))

export const lookAt = (disk: Disk): Promise<Found> => look(disk.saved, find)

/** A database that has never been anything else. */
export async function freshAt(release: Release, mode: Mode): Promise<Found> {
  const disk = new Disk()
  const db = await start({ disk, release, version: 1, mode, now: 0 })
  await ensureModels(
    db,
    release.map(model => model.name),
  )
  await db.close()
  return lookAt(disk)
}
