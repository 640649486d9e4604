import type { entry as en } from '../en/entry.ts'

export const entry: typeof en = {
  welcome: '欢迎来到鱼传',
  open: '取个名字就能聊。别人打开同一个地址，另取一个名字即可。',
  closed: '用账号和密码登录。',
  signup: '用账号和密码登录，或者注册一个账号。',
  invited: '你收到了邀请，请取个名字并设置密码。',
  linked: '用这个链接可以让本浏览器登录一次。',
  codeUsed: '这个链接已经用过，或者超过了十分钟。请再要一个，或者用密码登录。',
  name: '名字',
  nameHint: '1 到 32 个字符：a-z 0-9 . _ -',
  password: '密码',
  enter: '进入',
  entering: '正在进入…',
  create: '注册账号',
  createHint: '密码为 8 到 256 个字符。',
  haveAccount: '我有账号',
  noAccount: '没有账号？请向服务器的管理者要一个邀请。',
  unreachable: '服务器没有应答，它在运行吗？',
  insecure: '此页面没有安全连接，浏览器因此限制了一些功能。请用 https 打开。',
}
