/**
 * Paths as a person types them into the window, where no shell has read them before us. `~` is what it is in a shell: the home of
 * the user as whom this host runs, the folder that the file panel calls Home. An elevated engine host never sees a `~`, so it can't
 * mean root's. Under `sudo reprise web` it is what sudo says is home, root's on most systems: that somebody else's shell began it
 * can't be told from a root's own shell, whose `~` is root's as well.
 */
import { isAbsolute, join } from 'node:path'
import type { ImageTask } from '#shared/model'
import { UsageError } from '#shared/errors'

/** `~` and `~/…` as a path of its own; everything else as it is, `~ann` too, which would need the system's list of users. */
export const expandHome = (typed: string, home: string): string =>
  typed === '~' || /^~[/\\]/.test(typed) ? join(home, typed.slice(1)) : typed

/** An absolute path. Throws UsageError E_USAGE about `input` where that isn't one, which would lie wherever we were started. */
export function wholePath(typed: string, home: string, input: string): string {
  const path = expandHome(typed, home)
  if (isAbsolute(path)) return path
  throw new UsageError('E_USAGE', `the ${input} is not an absolute path`, {
    details: {
      input,
      problem: `'${typed}' isn't a whole path.`,
      hint: 'Begin it at the top, or with ~ for your own folder.',
    },
  })
}

/** The task with whole paths where they were typed. Throws as `wholePath`. */
export function withWholePaths(task: ImageTask, home: string): ImageTask {
  switch (task.kind) {
    case 'convert':
      return { ...task, target: wholePath(task.target, home, 'target') }
    case 'create': {
      const { from } = task
      const target = wholePath(task.target, home, 'target')
      return from.kind === 'folder'
        ? { ...task, target, from: { ...from, path: wholePath(from.path, home, 'folder') } }
        : { ...task, target }
    }
    default:
      return task
  }
}
