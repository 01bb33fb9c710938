// A fresh app in a temporary folder with the packed package installed, as its user would have it. Nothing is fetched:
// the tarball is unpacked, and what it depends on is linked from here.
import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

export interface FreshApp {
  readonly folder: string
  remove(): Promise<void>
}

/** Makes the app of `files` (path -> text), with node_modules/dataflow-edge as npm would unpack it. */
export async function makeApp(files: Record<string, string>): Promise<FreshApp> {
  const folder = await mkdtemp(join(tmpdir(), 'dataflow-edge-app-'))
  const installed = join(folder, 'node_modules/dataflow-edge')
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: root })
  const tarball = (await readdir(folder)).find(name => name.endsWith('.tgz'))
  if (!tarball) throw new Error('npm pack made no tarball')
  execFileSync('tar', ['-xzf', tarball], { cwd: folder })
  await cp(join(folder, 'package'), installed, { recursive: true })
  const { dependencies } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies ?? {})) {
    const link = join(folder, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(root, 'node_modules', name), link)
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}
