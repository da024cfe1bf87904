/** A machine that exists on paper: files, links, device nodes and the answers of programs, for the platforms to read. */
import type { FileFacts, Machine } from '#src/main/engine/platform/system/machine.ts'
import { missingProgram, type ProgramResult } from '#src/main/engine/platform/system/run-program.ts'

export type Answer = string | Partial<Omit<ProgramResult, 'name'>> | Error

export interface Recording {
  /** Default true. */
  readonly privileged?: boolean
  /** Path → contents. */
  /** Files of the running program. */
  readonly ownFiles?: readonly string[]
  readonly files?: { readonly [path: string]: string }
  readonly folders?: readonly string[]
  /** Path → target; absolute. */
  readonly links?: { readonly [path: string]: string }
  /** Path → user, where it isn't root's. */
  readonly owners?: { readonly [path: string]: number }
  /** Path → permissions, where they aren't 0755. */
  readonly modes?: { readonly [path: string]: number }
  /** Device nodes: path → `major:minor`. */
  readonly nodes?: { readonly [path: string]: string }
  /** Folder → `major:minor` of the file system mounted there. */
  readonly devices?: { readonly [folder: string]: string }
  readonly usedBytes?: { readonly [mountPoint: string]: number }
  /** What a program answers: by its whole command line, or by its name. A program without an answer isn't installed. */
  readonly programs?: { readonly [command: string]: Answer | ((args: readonly string[]) => Answer) }
}

export interface RecordedMachine extends Machine {
  /** Command lines in the order they were run. */
  readonly ran: readonly string[]
  readonly written: { readonly path: string; readonly text: string }[]
  /** Change the recording. */
  change(to: Recording): void
}

export function recordedMachine(recording: Recording): RecordedMachine {
  let now = recording
  const ran: string[] = []
  const written: { path: string; text: string }[] = []

  const canonical = (path: string): string => {
    for (const [link, target] of Object.entries(now.links ?? {}))
      if (path === link || path.startsWith(`${link}/`)) return canonical(target + path.slice(link.length))
    return path
  }
  const everything = () => [
    ...Object.keys(now.files ?? {}),
    ...Object.keys(now.nodes ?? {}),
    ...Object.keys(now.links ?? {}),
    ...(now.folders ?? []),
    ...Object.keys(now.devices ?? {}),
  ]
  const facts = (path: string): FileFacts => {
    if (path.includes('\0')) throw systemError('ERR_INVALID_ARG_VALUE', 22, path)
    const real = canonical(path)
    const node = now.nodes?.[real]
    const file = now.files?.[real]
    const folder = real === '/' || everything().some((each) => each === real || each.startsWith(`${real}/`))
    if (node === undefined && file === undefined && !folder) throw systemError('ENOENT', 2, path)
    const mounted = Object.keys(now.devices ?? {})
      .filter((at) => at === '/' || real === at || real.startsWith(`${at}/`))
      .sort((a, b) => b.length - a.length)[0]
    return {
      kind: node !== undefined ? 'block' : file !== undefined ? 'file' : 'folder',
      sizeBytes: file?.length ?? 0,
      inode: 1,
      device: (mounted === undefined ? undefined : now.devices?.[mounted]) ?? '0:1',
      deviceNumber: 1,
      owner: now.owners?.[real] ?? 0,
      mode: now.modes?.[real] ?? 0o755,
      node: node ?? '0:0',
    }
  }
  return {
    privileged: recording.privileged ?? true,
    processId: 1000,
    ownFiles: recording.ownFiles ?? [],
    ran,
    written,
    change: (to) => {
      now = to
    },
    run: async (name, args, options) => {
      options?.signal?.throwIfAborted()
      const command = [name, ...args].join(' ')
      ran.push(command)
      const programs = now.programs ?? {}
      let answer = programs[command] ?? programs[name]
      if (typeof answer === 'function') answer = answer(args)
      if (answer === undefined) throw missingProgram(name)
      if (answer instanceof Error) throw answer
      const result = typeof answer === 'string' ? { stdout: answer } : answer
      return Promise.resolve({ name, status: 0, stdout: '', stderr: '', ...result })
    },
    readText: (path) => Promise.resolve(now.files?.[canonical(path)] ?? null),
    readFolder: (path) => {
      const real = canonical(path)
      const names = everything()
        .filter((each) => each.startsWith(`${real}/`))
        .map((each) => each.slice(real.length + 1).split('/')[0] ?? '')
      return Promise.resolve([...new Set(names)].sort())
    },
    readLink: (path) => Promise.resolve(now.links?.[path] ?? null),
    realPath: (path) =>
      Promise.resolve().then(() => {
        try {
          facts(path)
          return canonical(path)
        } catch {
          return null
        }
      }),
    stat: (path) => Promise.resolve().then(() => facts(path)),
    usedBytes: (mountPoint) => Promise.resolve(now.usedBytes?.[mountPoint] ?? 0),
    watchFolder: () => null,
    pause: (_ms, signal) => {
      signal?.throwIfAborted()
      return Promise.resolve()
    },
    writeText: (path, text) => {
      written.push({ path, text })
      return Promise.resolve()
    },
    open: (path) => Promise.reject(systemError('EACCES', 13, path)),
    close: () => Promise.resolve(),
    writeDurably: () => Promise.resolve(),
    readAt: () => Promise.resolve(new Uint8Array()),
  }
}

/** As Node makes them. */
export function systemError(code: string, errno: number, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: as the system says it, '${path}'`), { code, errno: -errno, path })
}
