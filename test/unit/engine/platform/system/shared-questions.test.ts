import { expect, it } from 'vitest'
import { sharedQuestions } from '#src/main/engine/platform/system/shared-questions.ts'

const serial = '/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/serial'

it('asks once, however many want to know while there is no answer, and anew after that', async () => {
  const asked: PromiseWithResolvers<string>[] = []
  const ask = sharedQuestions(() => {
    const question = Promise.withResolvers<string>()
    asked.push(question)
    return question.promise
  })
  const answers = Promise.all([ask(serial), ask(serial), ask(serial)])
  const other = ask('/sys/devices/pci0000:00/0000:00:14.0/usb2/2-2/serial')
  expect(asked).toHaveLength(2)
  asked[0]?.resolve('4C53')
  asked[1]?.resolve('77')
  expect([await answers, await other]).toEqual([['4C53', '4C53', '4C53'], '77'])
  const again = ask(serial)
  asked[2]?.reject(new Error('gone'))
  await expect(again).rejects.toThrow('gone')
  void ask(serial)
  expect(asked).toHaveLength(4)
})
