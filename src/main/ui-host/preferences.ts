/** What the app remembers between starts, as a small JSON file. Losing it loses nothing that matters. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Preferences, PreferencesChange } from '#shared/contract'
import { changedPreferences, preferencesSchema } from '#shared/contract'
import { DeviceError } from '#shared/errors'
import type { Logger } from '#shared/log'

export interface PreferenceStore {
  /** What was stored; the defaults where there is nothing or nothing that can be understood. */
  load(): Promise<Preferences>
  /** Keeps everything else as it is stored. Throws DeviceError E_IO_WRITE. Calls are done one after the other. */
  change(change: PreferencesChange): Promise<void>
}

const defaults: Preferences = {
  practiceOffered: false,
  showInternalDisks: false,
  networkWarned: false,
  knownDisks: [],
}

export function preferenceFile(path: string, log: Logger): PreferenceStore {
  let last: Promise<unknown> = Promise.resolve()
  const load = () => read(path, log)
  return {
    load,
    change(change) {
      const changed = last.then(async () => write(path, changedPreferences(await load(), change)))
      last = changed.catch(() => undefined)
      return changed
    },
  }
}

async function read(path: string, log: Logger): Promise<Preferences> {
  try {
    const checked = preferencesSchema.safeParse(JSON.parse(await readFile(path, 'utf8')))
    if (checked.success) return checked.data
    log.warn('preferences are not understood', { path })
  } catch (error) {
    // Not there on the first start; unreadable or no JSON is no reason not to start either.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      log.warn('preferences cannot be read', { path, error: String(error) })
    }
  }
  return defaults
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
