#!/usr/bin/env node
/**
 * The engine binary: the command line, `reprise web` and `reprise engine-host` are its verbs. This file only sees to what must
 * be said before the first of the program's modules is loaded: that what V8 compiles is kept, as a fifth of what a short command costs
 * is compiling, and with how many threads files are read.
 */
import { statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

/**
 * Where compiled code is kept for the next start: beside the built program, so that the next build takes it away, and so that
 * it is trusted as much as the program itself. Null for sources, for an installed package, whose folder is the package manager's,
 * and where the folder is somebody else's, who couldn't remove what we put there.
 */
function compiledFolder(folder: string): string | null {
  const isBuild = /[\\/]out[\\/]main$/.test(folder)
  const isOurs = process.geteuid === undefined || statSync(folder).uid === process.geteuid()
  return isBuild && isOurs ? join(folder, 'compiled') : null
}

// All files and sums of the process share these, also those of its worker threads. Of Node's four, one disk or file server that doesn't
// answer holds all, and every stream with them. They are made at the first use, and cost next to nothing.
process.env['UV_THREADPOOL_SIZE'] ??= '16'

const folder = compiledFolder(import.meta.dirname)
// Never throws: what can't be kept is compiled again.
if (folder !== null) enableCompileCache(folder)
await import('./command-line.ts')
