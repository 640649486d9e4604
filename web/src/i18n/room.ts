const en = {}

const zh: typeof en = {}

export const room = { en, zh }
