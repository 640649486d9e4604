const en = {}

const zh: typeof en = {}

export const frame = { en, zh }
