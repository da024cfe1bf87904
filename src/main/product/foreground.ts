/**
 * Whether what is typed on the terminal is meant for this process. Reading it from the background (`reprise web &`) doesn't fail: it
 * stops the process (SIGTTIN) at the next key, and with it everything it serves.
 */
import { fstatSync, readFileSync } from 'node:fs'

export function isInForeground(): boolean {
  try {
    return isForeground(readFileSync('/proc/self/stat', 'latin1'), fstatSync(0).rdev)
  } catch {
    // No Linux: nobody knows, and most are.
    return true
  }
}

/**
 * Of a line of proc_pid_stat(5): `pid (comm) state ppid pgrp session tty_nr tpgid …`, where comm may hold anything. Without a controlling
 * terminal tpgid is -1, and nobody is stopped; nor is one who reads another terminal than that. `input`: the device number of what is
 * read, which both write in the same way.
 */
export function isForeground(stat: string, input: number): boolean {
  const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const isControlling = input === ownTerminal || String(input | 0) === terminal
  return !isControlling || foreground === '-1' || group === foreground
}

/** /dev/tty, which is the controlling terminal by another name: major 5, minor 0. */
const ownTerminal = 0x500
