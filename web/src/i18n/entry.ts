const en = {}

const zh: typeof en = {}

export const entry = { en, zh }
