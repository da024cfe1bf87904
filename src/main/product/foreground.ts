/**
 * Whether what is typed on the terminal is meant for this process. Reading it from the background (`reprise web &`) doesn't fail: it
 * stops the process (SIGTTIN) at the next key, and with it everything it serves.
 */
import { readFileSync } from 'node:fs'

export function isInForeground(): boolean {
  try {
    return isForeground(readFileSync('/proc/self/stat', 'latin1'))
  } catch {
    // No Linux: nobody knows, and most are.
    return true
  }
}

/**
 * Of a line of proc_pid_stat(5): `pid (comm) state ppid pgrp session tty_nr tpgid …`, where comm may hold anything. Without a controlling
 * terminal tpgid is -1, and nobody is stopped.
 */
export function isForeground(stat: string): boolean {
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return foreground === '-1' || group === foreground
}
