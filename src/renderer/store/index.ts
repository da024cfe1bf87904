export type { FileAccess } from './action-deps.ts'
export { readAdmission, type AdmissionDraft } from './admission-draft.ts'
export type { Actions } from './actions.ts'
export { realClock, type Clock } from './clock.ts'
export { ConnectRefused, hostConnection, type Connect } from './connection.ts'
export { choosesFolder } from './file-actions.ts'
export {
  destinationOptions,
  destinationProblem,
  itemProblem,
  sourceSize,
  type DestinationOption,
} from './destinations.ts'
export { describeProblem } from './destination-words.ts'
export { isConnected, type EngineMirror } from './engine-mirror.ts'
export { showsJob, showsSession } from './failures.ts'
export { sameDevice } from './follow-disks.ts'
export { fetchPercent, jobFetch, shownFetch, sourceFetch, startingFetch } from './fetches.ts'
export { hostAheadMs, useHostTime } from './host-time.ts'
export { wrongChecks } from './network-check.ts'
export { sourceProblem } from './known-damage.ts'
export { imageCan, isLocked, isUnanswered } from './image-work.ts'
export { misfitChecksum } from './misfit-checksum.ts'
export {
  canBeCut,
  draftBytes,
  isBundle,
  sizeDraft,
  sizeUnits,
  type DraftProblem,
  type ImageDraft,
  type SizeDraft,
} from './image-draft.ts'
export {
  canEject,
  diskId,
  findItem,
  groupOf,
  imageId,
  isDeviceItem,
  itemName,
  itemSize,
  locatorOf,
  sidebarGroups,
  streamId,
  volumeId,
  volumeName,
  type GroupName,
  type Item,
} from './items.ts'
export { gentlerRate } from './losing.ts'
export {
  inOrderOfConcern,
  lossTone,
  offered,
  sessionRemainingMs,
  unfinished,
  untouched,
  verifying,
} from './sessions.ts'
export {
  chosenInterface,
  draftProblems,
  gentleRate,
  inMegabytes,
  namesake,
  parseClientRate,
  parseRate,
  usesClients,
  usesMinutes,
  type DraftField,
  type FieldProblem,
  type StartRule,
  type StreamDraft,
} from './stream-draft.ts'
export { draftSurroundings } from './stream-actions.ts'
export { errorReport, jobReport } from './job-report.ts'
export { shownPlan } from './planner.ts'
export { canResetPractice } from './practice.ts'
export { isRefused } from './refusal.ts'
export { volumeChoice } from './volume-choice.ts'
export {
  RepriseProvider,
  useActions,
  useBoth,
  useErrorReport,
  useMirror,
  useReprise,
  useView,
} from './react.ts'
export {
  frontJob,
  needsScan,
  nextStep,
  canAskToRestore,
  isNewFile,
  restoreBlock,
  restoreJob,
  restoreStage,
  type RestoreBlock,
} from './readiness.ts'
export type { Memory } from './remembered.ts'
export { createReprise, type Reprise } from './reprise.ts'
export { sameData } from './same-data.ts'
export { sourceObstacle } from './sources.ts'
export { describeObstacle } from './source-words.ts'
export { urlProblem } from './url-problem.ts'
export type {
  DestinationChoice,
  Failure,
  FilesSheet,
  ImageWork,
  ItemId,
  Notice,
  OpenedImage,
  PlanState,
  SaveConfigurationSheet,
  SaveDiskSheet,
  Sending,
  SourceChoice,
  ViewState,
} from './view-state.ts'
