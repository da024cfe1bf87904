/** What is known about figures that don't reach their target: where the time goes. Only those that miss it are printed. */
import { targetText, verdict, type Line } from './line.ts'

/** By the beginning of a line's `what`; the numbers of a size stand as `#`. */
const known: Readonly<Record<string, string>> = {
  'raw image of # MiB: time':
    'Copying itself is faster than dd, because reading and writing go on at once; but before and after it, whatever the size, a fifth of a second goes into starting Node and loading the program, and into looking at the disk with the system’s programs before anything is planned, again right before the first write, and after the last. The second look stays: between the two somebody has answered a question.',
  'raw image of # MiB: CPU':
    'Before and after the copy, whatever its size, 0.2 s of CPU: Node’s own start, loading the program, looking at the disk twice with the system’s programs, and asking whether another program has it open. The copy itself costs about what dd’s does; the line about the larger image shows it.',
  'raw image of # MiB to UDBZ: memory':
    'About 50 MiB of it are pages of Node’s own program file, of which the system keeps more in sight on one day than on another. The rest are the main thread and two that compress: sorting a block of bzip2 takes twenty times its size, and each is read back to check it.',
  'UDZO of # MiB over HTTP':
    'From the file, two cores are busy decoding all the time; over HTTP the same two also carry nginx, the system’s network twice, the fetching, and a SHA-256 of every block as it arrives, which alone is half a second of processor for each GiB. What fetching alone takes by curl stands beside it. Where the server is another machine this isn’t so.',
  'raw image of # MiB over HTTP':
    'A raw image in the page cache is copied at memory’s speed; over HTTP server, network and fetching share its two cores and its memory. curl to /dev/null takes nearly as long as the copy from the file. Where the server is another machine, the network is the limit.',
  'changed blocks only and verified, 1 %':
    'Each byte of the disk is hashed and its checksum counted: on this processor 1.5 s of SHA-256 and 0.5 s of CRC-32 for 2 GiB, on two cores that also read. dd only reads. Where SHA-256 is faster (an AMD EPYC with two cores), the same took 1.02 × as long as reading.',
  'multicast of # MiB as UDZO to one client without a cap':
    'Server and client each take about two seconds of processor for these 409 MB, on two cores that also carry the network: a keyed check of each datagram on both sides, a SHA-256 of each block on both, copies between the system’s memory and the program’s, and many small costs of JavaScript. The peers compare nothing but UDP’s own sums, and take their bytes from and to the system without looking at them. On an AMD EPYC with two cores the same was 1.2 × as fast as udpcast.',
  'multicast at 12 MB/s: CPU of the server':
    'A second of a thousand clients is a thousand reports over TLS, which this processor takes nearly twice as long to read as an AMD EPYC, where it was 0.11 ms.',
  'multicast to four, one behind':
    'Half a second of a stream of eight seconds, probably until the slow one is told from the others; it doesn’t grow with the image. With the image of 1024 MiB, which takes 27 s, the others have it in 26.7 s with the slow one and 26.6 s without.',
  'multicast to 16 at':
    'Server, sixteen clients and their network share two cores: at times the server’s turn comes later than can be made up for within 10 ms, and it sends 0.96 of the rate instead of 0.98. Nothing is lost by that but time; on a server of its own this isn’t so.',
  'multicast at 50 MB/s': 'As at 100 MB/s, where the machine is slower for a while.',
  'multicast at 100 MB/s':
    'Server, network, capture and client share two cores, and at this rate need nearly all of both; what is late by more than some milliseconds can’t be made up for within the same 10 ms.',
}

/** One sentence or more for each line that misses its target. */
export function explainMissed(lines: readonly Line[]): readonly string[] {
  return lines
    .filter((line) => verdict(line) === 'FAIL')
    .map((line) => {
      const key = Object.keys(known).find((beginning) => withoutNumbers(line.what).startsWith(beginning))
      const why = key === undefined ? 'Not understood yet.' : known[key]
      return `**${line.what}** (${targetText(line)}). ${why}`
    })
}

const withoutNumbers = (what: string) => what.replace(/ \d+ MiB/g, ' # MiB')
