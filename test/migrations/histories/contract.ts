// The options of migrations, in the one place that names them.
import type { LocalOptions } from '../../support/local.js'
import type { Mode } from './generator.js'

export const migrationOptions = (mode: Mode, version: number): LocalOptions =>
  ({ version, migrations: { onDestructive: mode } }) as LocalOptions
