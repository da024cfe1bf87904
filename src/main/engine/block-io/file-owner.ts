/**
 * Doing something with a person's rights in a process that has an administrator's. Whoever asked for a password to read a disk
 * must not write where they couldn't, and what is made belongs to them: the system itself sees to both when it is asked in
 * their name. A link planted in the way leads them where they could have gone anyhow.
 *
 * The rights are the whole process's, of all its threads. So they change for one call that isn't asynchronous, and nothing else
 * of this thread happens meanwhile; descriptors that are open already stay what they are.
 */
import { invariant } from '#shared/errors'

export interface FileOwner {
  readonly uid: number
  /** All the groups they are in, their own first. */
  readonly gids: readonly number[]
}

/** `work`, with the effective rights of `owner`. Throws what it throws. */
export function asOwner<T>({ uid, gids }: FileOwner, work: () => T): T {
  const { geteuid, getegid, getgroups, seteuid, setegid, setgroups } = process
  const [gid] = gids
  invariant(
    gid !== undefined && geteuid && getegid && getgroups && seteuid && setegid && setgroups,
    'rights of another person, on a system that has none or without a group',
  )
  const was = { uid: geteuid(), gid: getegid(), groups: getgroups() }
  try {
    setgroups([...gids])
    setegid(gid)
    seteuid(uid)
    return work()
  } finally {
    // First this one: without it the others may not be set.
    seteuid(was.uid)
    setegid(was.gid)
    setgroups(was.groups)
  }
}
