/** Which files of the kernel's may be read without a thread: a restore reads two thousand, and each takes a hundredth of the time then. */

/** Of other processes their open files only: what else the kernel tells of them waits for their memory. */
const fromMemory = /^\/(sys\/|proc\/self\/|proc$|proc\/\d+\/fd(info)?(\/\d+)?$)/

/** A USB device's own words are behind its lock, which is held for many seconds while one that is dying is reset. */
const behindLock = /^\/sys\/.*\/usb\d+\/.*\/(serial|product|manufacturer)$/

export const isBehindLock = (path: string): boolean => behindLock.test(path)

export const isFromMemory = (path: string): boolean => fromMemory.test(path) && !isBehindLock(path)
