import { expect, it } from 'vitest'
import { isFromMemory } from '#src/main/engine/platform/system/from-memory.ts'

const usb = '/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1'

it.each([
  ['/sys/block/sdb/size', true],
  ['/sys/block/nvme0n1/device/serial', true],
  [`${usb}/idVendor`, true],
  [`${usb}/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb`, true],
  // What a USB device is called is behind its lock, and that is held as long as it is being reset.
  [`${usb}/serial`, false],
  [`${usb}/product`, false],
  [`${usb}/2-1.4/manufacturer`, false],
  ['/proc', true],
  ['/proc/self/mountinfo', true],
  ['/proc/70/fdinfo/9', true],
  // Waits for the other process's memory.
  ['/proc/70/cmdline', false],
  ['/home/mona/sys/a', false],
])('%s is answered from memory: %s', (path, isIt) => {
  expect(isFromMemory(path)).toBe(isIt)
})
