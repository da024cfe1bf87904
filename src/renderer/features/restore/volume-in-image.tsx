/** Which volume of the image goes into the partition, where there are several. */
import { Choice, Form } from '#renderer/components'
import { sameData, useActions, useBoth, volumeChoice } from '#renderer/store'
import { volumeOption } from './text.ts'

export function VolumeInImage() {
  const choice = useBoth(volumeChoice, sameData)
  const { choosePartition } = useActions()
  if (choice === null) return null
  return (
    <div className="options-volume">
      <Form>
        <Choice
          label="Volume in image"
          value={choice.chosen === null ? null : String(choice.chosen)}
          options={choice.image.partitions.map((partition) => volumeOption(partition, choice.image))}
          onChange={(key) => choosePartition(Number(key))}
        />
      </Form>
    </div>
  )
}
