import { describe, expect, it } from 'vitest'
import { isHeldElsewhere } from '#engine/formats/partition-map'
import { gptTypeName } from '#src/main/engine/formats/partition-map/gpt-types.ts'
import { mbrTypeName } from '#src/main/engine/formats/partition-map/mbr-types.ts'

describe('a partition', () => {
  it.each([
    ['LDM metadata', '5808C8AA-7E8F-42E0-85D2-E1E90434CFB3'],
    ['LDM data', 'AF9B60A0-1431-4F62-BC68-3311714A69AD'],
    ['Storage Spaces', 'E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D'],
    ['Core Storage', '53746F72-6167-11AA-AA11-00306543ECAC'],
    ['Apple RAID', '52414944-0000-11AA-AA11-00306543ECAC'],
    ['Apple RAID, offline', '52414944-5F4F-11AA-AA11-00306543ECAC'],
    ['Apple UFS', '55465300-0000-11AA-AA11-00306543ECAC'],
    ['Linux LVM', 'E6D6D379-F507-44C2-A23C-238F2A3DF928'],
    ['Linux RAID', 'A19D880F-05FC-4D3B-A006-743F0F84911E'],
    ['Linux LUKS', 'CA7D7CCB-63ED-4C53-861C-1742536059CC'],
    ['FreeBSD UFS', '516E7CB6-6ECF-11D6-8FF8-00022D09712B'],
    ['OpenBSD', '824CC7A0-36A8-11E3-890A-952519AD3F61'],
    ['NetBSD RAID', '49F48DAA-B10E-11DC-B99B-0019D1879648'],
    ['VMFS', 'AA31E02A-400F-11DB-9590-000C2911D1B8'],
    ['Solaris', '6A898CC3-1DD2-11B2-99A6-080020736631'],
    ['Haiku', '42465331-3BA3-10F1-802A-4861696B7521'],
  ])('of %s is held elsewhere', (_, guid) => {
    expect(isHeldElsewhere(gptTypeName(guid))).toBe(true)
  })

  it.each([0x42, 0x8e, 0xa5, 0xa6, 0xa8, 0xa9, 0xac, 0xbf, 0xeb, 0xfb, 0xfd])('of type %i, too', (type) => {
    expect(isHeldElsewhere(mbrTypeName(type))).toBe(true)
  })

  it.each([
    'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
    'EBD0A0A2-B9E5-4433-87C0-68B6B72699C7',
    '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
    '48465300-0000-11AA-AA11-00306543ECAC',
    '0657FD6D-A4AB-43C4-84E5-0933C84B4F4F',
    'FE3A2A5D-4F32-41A7-B725-ACCC3285A309',
    '12345678-1234-1234-1234-123456789ABC',
  ])('of type %s is asked itself', (guid) => {
    expect(isHeldElsewhere(gptTypeName(guid))).toBe(false)
  })

  it.each([0x07, 0x0c, 0x82, 0x83, 0xaf, 0xef, 0x4d])('of type %i, too, is asked itself', (type) => {
    expect(isHeldElsewhere(mbrTypeName(type))).toBe(false)
  })
})
