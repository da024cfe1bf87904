/**
 * Every way Reprise can fail, as one list. A code is what crosses processes, what tests name, and what the words on
 * the screen and in the terminal are written for (#shared/words).
 */
export const usageCodes = [
  'E_USAGE', // the request cannot be right: bad flag, bad size, missing option
  'E_UNSUPPORTED', // right, but not on this system or not in this version
  'E_NEEDS_ERASE', // --erase / the Erase tick is missing
  'E_NOT_CONFIRMED', // the confirmation is missing, wrong or expired
  'E_SAME', // source and destination are the same, or one lies inside the other
  'E_DST_SYSTEM', // the destination runs this computer
  'E_DST_HOLDS_SRC', // the source image is stored on the destination
  'E_DST_SMALL', // the destination is smaller than the source
  'E_DST_EXISTS', // the destination file exists and Erase wasn't given
  'E_DST_KIND', // the destination is something that can't hold a disk (a folder, a socket, a CD drive)
  'E_SRC_NOSCAN', // the image was never scanned for restore, or lacks the digest that was asked for
  'E_SRC_MULTIVOL', // the image holds several volumes, and the destination is one partition
  'E_MC_CONFIG', // a configuration of a stream that isn't one, or a value in it that can't be
  'E_MC_RIGHTS', // a session's own password isn't enough for what was asked
  'E_MC_NOTORDERED', // the image's data isn't in the order of the disk, so it can't be multicast
  'E_SRC_FRAGMENTED', // the catalog of an HFS+ volume lies in more than eight extents
] as const

export const formatCodes = [
  'E_SRC_FORMAT', // not an image we can read
  'E_SRC_CORRUPT', // an image, but it contradicts itself: structure, compressed data or checksum
  'E_SRC_ENCRYPTED', // an encrypted image
  'E_SRC_PASSWORD', // an encrypted image, and this isn't its password
  'E_SRC_SEGMENT', // a segment of a segmented image is missing or belongs to another image
] as const

export const deviceCodes = [
  'E_NOT_FOUND', // no such file, disk or mount point
  'E_DENIED', // the system refuses access
  'E_AUTH_CANCEL', // the person dismissed the password prompt
  'E_AUTH_NOAGENT', // nothing is there that could ask for the password
  'E_SRC_IN_USE', // the source volume is in use and can't be unmounted
  'E_SRC_GONE', // the source vanished
  'E_SRC_CHANGED', // the source isn't what it was when the plan was made
  'E_DST_BUSY', // the destination is in use and can't be unmounted
  'E_DST_GONE', // the destination was unplugged
  'E_DST_CHANGED', // the destination isn't the disk it was when the plan was made
  'E_DST_READONLY', // write-protected
  'E_DST_FULL', // the file system that holds the destination file is full
  'E_TMP_FULL', // the folder for temporary files has no room, or perhaps too little, for an image that is made to be streamed
  'E_IO_READ', // the medium can't be read at an offset
  'E_IO_WRITE', // the medium can't be written at an offset
  'E_STALL', // no progress for a long time
  'E_DEVICE_TOOL', // a system program we rely on is missing or failed
] as const

export const networkCodes = [
  'E_NET', // no connection, or it was lost and couldn't be had again
  'E_NET_STALL', // a server is silent for too long
  'E_NET_STATUS', // a server says that it has no such file, or can't give it
  'E_NET_PASSWORD', // a server asks for a name and a password, or those it was given are wrong
  'E_NET_TLS', // who the server is can't be proven
  'E_NET_REDIRECT', // a server sends us on in a circle, or to where we don't go
  'E_NET_ANSWER', // a server's answer contradicts itself, or isn't to what was asked
  'E_NET_PROXY', // the proxy can't be used
  'E_NET_SPACE', // an image that can only be fetched as a whole has no room here
  'E_MC_IFACE', // there is no such network interface, it is down, or it has no IPv4 address
  'E_MC_PORT', // the port of a stream can't be had
  'E_MC_ADDR', // not an address that streams can be sent to
  'E_MC_LOOP', // a test packet sent by multicast didn't come back
  'E_MC_RATE', // the rate is more than the interface's link can do, or a large part of it
  'E_MC_TTL', // a TTL that no stream should have
  'E_MC_SEND', // the system refuses to send the stream's packets
  'E_MC_NOSERVER', // no server of sessions runs on this computer
  'E_MC_PROTOCOL', // the other side of a multicast says what no version of ours says
  'E_MC_REFUSED', // the server doesn't let us join: not admitted, full, or too many passwords were wrong
  'E_MC_PASSWORD', // the session has a password, and this isn't it
  'E_MC_FINGERPRINT', // the server isn't the one that the address names
  'E_MC_NOSESSION', // the server has no such session
  'E_MC_TIMEOUT', // nothing of the stream came for as long as --timeout allows
  'E_MC_ENDED', // the server ended the session
  'E_MC_CHANGED', // the server offers another image than before
  'E_MC_SILENT', // a warning: multicast doesn't reach this computer
  'E_MC_BUFFER', // a warning: the system threw datagrams away because a receive buffer was full
] as const
export const verificationCodes = ['E_VERIFY'] as const
export const engineGoneCodes = [
  'E_ENGINE_GONE', // the engine's process died or never started
  'E_HOST_LOST', // the window isn't connected to its host; that and the engine may go on
  'E_HELPER_VERSION', // the other side is another version than this one
] as const
export const bugCodes = ['E_BUG'] as const

export type UsageCode = (typeof usageCodes)[number]
export type FormatCode = (typeof formatCodes)[number]
export type DeviceCode = (typeof deviceCodes)[number]
export type NetworkCode = (typeof networkCodes)[number]
export type VerificationCode = (typeof verificationCodes)[number]
export type EngineGoneCode = (typeof engineGoneCodes)[number]
export type BugCode = (typeof bugCodes)[number]
export type ErrorCode =
  UsageCode | FormatCode | DeviceCode | NetworkCode | VerificationCode | EngineGoneCode | BugCode
