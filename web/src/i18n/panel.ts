const en = {}

const zh: typeof en = {}

export const panel = { en, zh }
