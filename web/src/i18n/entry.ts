const en = {
  welcome: 'Welcome to FishChat',
  open: 'Choose a name, and talk. Others open the same address and choose another one.',
  closed: 'Enter with your name and password.',
  signup: 'Enter with your name and password, or create an account.',
  invited: 'You are invited. Choose a name and a password.',
  name: 'Name',
  nameHint: '1 to 32 of a-z 0-9 . _ -',
  password: 'Password',
  enter: 'Enter',
  entering: 'Entering…',
  create: 'Create an account',
  createHint: 'A password has 8 to 256 characters.',
  haveAccount: 'I have an account',
  noAccount: 'No account? Ask whoever runs this server for an invitation.',
  unreachable: 'The server does not answer. Is it running?',
  insecure: 'This page has no secure connection, so the browser keeps some things from it. Open it by https.',
}

const zh: typeof en = {
  welcome: '欢迎来到鱼传',
  open: '取个名字就能聊。别人打开同一个地址，另取一个名字即可。',
  closed: '用账号和密码登录。',
  signup: '用账号和密码登录，或者注册一个账号。',
  invited: '你收到了邀请，请取个名字并设置密码。',
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

export const entry = { en, zh }
