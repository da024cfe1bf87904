/**
 * The built window, read into memory once. What isn't in this table doesn't exist: no request's path ever reaches the
 * file system.
 */
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

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

/** All files below `folder` that have a type of ours; links are left out. Throws what the file system throws. */
export async function readPageFiles(folder: string): Promise<PageFiles> {
  const files = new Map<string, PageFile>()
  // Folder by folder: Electron's archive doesn't know recursive reading.
  const folders = ['']
  for (const inside of folders) {
    for (const entry of await readdir(join(folder, inside), { withFileTypes: true })) {
      const address = `${inside}/${entry.name}`
      if (entry.isDirectory()) folders.push(address)
      const type = types[extname(entry.name)]
      if (!entry.isFile() || type === undefined) continue
      files.set(address === '/index.html' ? '/' : address, {
        type,
        bytes: await readFile(join(folder, address)),
        immutable: address.startsWith('/assets/'),
      })
    }
  }
  return files
}
