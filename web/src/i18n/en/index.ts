import { common } from './common.ts'
import { entry } from './entry.ts'
import { frame } from './frame.ts'
import { panel } from './panel.ts'
import { room } from './room.ts'

/** All texts in English. */
export const texts = { common, entry, frame, panel, room }

export type Texts = typeof texts
