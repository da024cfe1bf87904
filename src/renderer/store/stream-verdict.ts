/**
 * What was said of the form for a stream as it was: what Check Network found, and why a start was refused. It is said of nothing
 * else: not of another form, nor of an image that something was done to since. Pure.
 */
import { imageId } from './items.ts'
import type { ServerView } from './view-state.ts'

/** Of another form neither is true; a start that is under way stays that. */
export const withoutVerdict = (server: ServerView): ServerView => ({
  ...server,
  check: { state: 'none' },
  sending: server.sending.state === 'busy' ? server.sending : { state: 'idle' },
})

/** An image is read anew, which may be the one to stream: it was scanned, made anew, put in order. */
export const afterReading = (server: ServerView, path: string): ServerView =>
  server.draft.source === imageId(path) ? withoutVerdict(server) : server
