const en = {
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  back: 'Back',
  more: 'More',
  you: 'you',
  list: (names: string[]) => new Intl.ListFormat('en').format(names),
}

const zh: typeof en = {
  close: '关闭',
  cancel: '取消',
  save: '保存',
  back: '返回',
  more: '更多',
  you: '你',
  list: (names) => new Intl.ListFormat('zh').format(names),
}

export const common = { en, zh }
