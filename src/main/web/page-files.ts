/**
 * The built window, read into memory once. What isn't in this table doesn't exist: no request's path ever reaches the
 * file system.
 */
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'

export interface PageFile {
  readonly type: string
  readonly bytes: Buffer
  /** Its name holds a hash of its content: it may be kept for ever. */
  readonly immutable: boolean
}

/** By path of the address: `/`, `/assets/index-….js`. */
export type PageFiles = ReadonlyMap<string, PageFile>

const types: { readonly [extension: string]: string } = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}

/** All files of `folder` with a type of ours. Throws what the file system throws. */
export async function readPageFiles(folder: string): Promise<PageFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = new Map<string, PageFile>()
  for (const entry of entries) {
    const type = types[extname(entry.name)]
    if (!entry.isFile() || type === undefined) continue
    const path = join(entry.parentPath, entry.name)
    const address = `/${relative(folder, path).split(sep).join('/')}`
    const immutable = address.startsWith('/assets/')
    files.set(address === '/index.html' ? '/' : address, { type, bytes: await readFile(path), immutable })
  }
  return files
}
