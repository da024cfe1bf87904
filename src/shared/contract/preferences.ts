/** What the app remembers between starts. Pure. */
import { z } from 'zod'

export interface Preferences {
  /** The card that offers the practice restore was closed or used. */
  readonly practiceOffered: boolean
  readonly showInternalDisks: boolean
  /** The warning about multicast in shared networks was read. */
  readonly networkWarned: boolean
  /** Identities of disks that were erased once: their confirm button isn't delayed again. The last 200. */
  readonly knownDisks: readonly string[]
}

/** What a window changes of them. It never sends the others, which another window may have changed. */
export interface PreferencesChange extends Partial<Omit<Preferences, 'knownDisks'>> {
  readonly knownDisk?: string
}

const maxKnownDisks = 200
const identitySchema = z.string().max(512)

export const preferencesSchema: z.ZodType<Preferences> = z.strictObject({
  practiceOffered: z.boolean(),
  showInternalDisks: z.boolean(),
  // Files of versions before don't have it.
  networkWarned: z.boolean().default(false),
  knownDisks: z.array(identitySchema).max(maxKnownDisks),
})

export const preferencesChangeSchema: z.ZodType<PreferencesChange> = z.strictObject({
  practiceOffered: z.boolean().exactOptional(),
  showInternalDisks: z.boolean().exactOptional(),
  networkWarned: z.boolean().exactOptional(),
  knownDisk: identitySchema.exactOptional(),
})

export function changedPreferences(
  before: Preferences,
  { knownDisk, ...change }: PreferencesChange,
): Preferences {
  if (knownDisk === undefined) return { ...before, ...change }
  const others = before.knownDisks.filter((identity) => identity !== knownDisk)
  return { ...before, ...change, knownDisks: [...others, knownDisk].slice(-maxKnownDisks) }
}
