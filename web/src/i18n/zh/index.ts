import type { Texts } from '../en/index.ts'
import { common } from './common.ts'
import { entry } from './entry.ts'
import { frame } from './frame.ts'
import { panel } from './panel.ts'
import { room } from './room.ts'

/** All texts in Chinese. */
export const texts: Texts = { common, entry, frame, panel, room }
