/** What the app remembers between starts, as a small JSON file. Losing it loses nothing that matters. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Preferences } from '#shared/contract'
import { uiContract } from '#shared/contract'
import { DeviceError } from '#shared/errors'
import type { Logger } from '#shared/log'

export interface PreferenceStore {
  /** What was stored; the defaults where there is nothing or nothing that can be understood. */
  load(): Promise<Preferences>
  /** Throws DeviceError E_IO_WRITE. Calls are done one after the other. */
  save(preferences: Preferences): Promise<void>
}

const defaults: Preferences = {
  practiceOffered: false,
  showInternalDisks: false,
  networkWarned: false,
  knownDisks: [],
}

export function preferenceFile(path: string, log: Logger): PreferenceStore {
  let last: Promise<unknown> = Promise.resolve()
  return {
    async load() {
      try {
        const checked = uiContract.request['app.setPreferences'].in.safeParse(
          JSON.parse(await readFile(path, 'utf8')),
        )
        if (checked.success) return checked.data
        log.warn('preferences are not understood', { path })
      } catch (error) {
        // Not there on the first start; unreadable or no JSON is no reason not to start either.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
          log.warn('preferences cannot be read', { path, error: String(error) })
        }
      }
      return defaults
    },
    save(preferences) {
      const saved = last.then(() => write(path, preferences))
      last = saved.catch(() => undefined)
      return saved
    },
  }
}

/** The old file stays whole until the new one is. */
async function write(path: string, preferences: Preferences): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const temporary = `${path}.${process.pid}.new`
    await writeFile(temporary, `${JSON.stringify(preferences, null, 2)}\n`, { mode: 0o600 })
    await rename(temporary, path)
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code
    throw new DeviceError('E_IO_WRITE', 'preferences cannot be stored', {
      details: { path, ...(errno === undefined ? {} : { errno }) },
      cause,
    })
  }
}
