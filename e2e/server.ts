// A server of static files that answers 404 for what is not there (a missing worker or .wasm must look missing).
import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { pipeline } from 'node:stream/promises'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
}

export interface Server {
  /** Ends with a slash; always localhost, which is a secure context. */
  readonly url: string
  close(): Promise<void>
}

export interface ServeOptions {
  /** Sent with every answer, such as a Content-Security-Policy. */
  readonly headers?: Record<string, string>
  /** Paths, such as /assets/sqlite.wasm, for which it says 404. */
  readonly missing?: (path: string) => boolean
}

/** Serves `folder` on a free port. */
export async function serve(folder: string, options: ServeOptions = {}): Promise<Server> {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname))
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path)
    const found = !options.missing?.(path) && statSync(file, { throwIfNoEntry: false })?.isFile()
    response.writeHead(found ? 200 : 404, {
      'content-type': found ? (types[extname(file)] ?? 'application/octet-stream') : 'text/plain',
      'cache-control': 'no-cache',
      ...options.headers,
    })
    if (!found) return void response.end(`No ${path} here`)
    // A browser that goes away in the middle is no failure of ours.
    await pipeline(createReadStream(file), response).catch(() => {})
  })
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve))
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
