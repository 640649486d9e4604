import { useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import { Dialog } from '../../ui/dialog.tsx'

/** The reactions that are offered first. */
export const USUAL = ['👍', '❤️', '😂', '🎉', '😮', '😢', '🙏', '🐟']

/** Emoji with the words by which they are found, in both languages. */
const EMOJI: [string, string][] = `
😀 grin smile 笑|😃 happy smile 开心|😄 laugh smile 大笑|😁 beam 咧嘴|😆 laugh 哈哈|😅 sweat 尴尬 汗|😂 joy tears 笑哭|🤣 rofl 笑翻|🙂 smile 微笑|🙃 upside 倒|😉 wink 眨眼|😊 blush 害羞|😇 angel 天使|🥰 love hearts 爱|😍 love eyes 喜欢|😘 kiss 亲|😋 yum 好吃|😛 tongue 吐舌|😜 wink tongue 调皮|🤔 think 想|🤗 hug 抱|🤫 quiet 嘘|😐 neutral 无语|😑 expressionless 无语|🙄 eyes roll 白眼|😏 smirk 得意|😌 relieved 安心|😴 sleep 困 睡|🤒 sick 病|🤧 sneeze 感冒|🥳 party 庆祝|😎 cool 酷|🤓 nerd 书呆子|😕 confused 困惑|😟 worried 担心|🙁 sad 难过|😮 wow 哇|😲 astonished 惊|😳 flushed 脸红|🥺 please 求|😢 cry 哭|😭 sob 大哭|😱 scream 吓|😤 huff 哼|😡 angry 生气|🤯 mind blown 震惊|😬 grimace 尴尬|🥱 yawn 哈欠|
👍 thumbs up yes 赞 好|👎 thumbs down no 踩|👌 ok 好|✌️ victory 耶|🤞 luck 好运|🤝 handshake deal 握手|👏 clap 鼓掌|🙌 hooray 万岁|🙏 thanks please 谢谢 拜托|💪 strong 加油|👋 wave hello bye 你好 再见|🤙 call 打电话|👀 eyes look 看|🫶 heart hands 比心|
❤️ heart love 爱心|🧡 orange heart 爱心|💛 yellow heart 爱心|💚 green heart 爱心|💙 blue heart 爱心|💜 purple heart 爱心|🖤 black heart 爱心|💔 broken heart 心碎|💯 hundred 满分|🔥 fire hot 火|✨ sparkles 闪|⭐ star 星|🎉 party tada 庆祝|🎂 cake birthday 生日 蛋糕|🎁 gift 礼物|🧧 red envelope 红包|🏮 lantern 灯笼|🎆 fireworks 烟花|
🐟 fish carp 鱼|🐠 fish 鱼|🎣 fishing 钓鱼|🐱 cat 猫|🐶 dog 狗|🐼 panda 熊猫|🐰 rabbit 兔|🐯 tiger 虎|🐉 dragon 龙|🐴 horse 马|🐷 pig 猪|🐔 chicken 鸡|🦆 duck 鸭|🌸 blossom flower 花|🌹 rose 玫瑰|🍀 clover luck 幸运|🌳 tree 树|☀️ sun 太阳|🌙 moon 月亮|☁️ cloud 云|🌧️ rain 雨|❄️ snow 雪|🌈 rainbow 彩虹|🌊 wave sea 浪|
🍵 tea 茶|☕ coffee 咖啡|🍺 beer 啤酒|🍷 wine 酒|🥟 dumpling 饺子|🍜 noodles 面|🍚 rice 米饭|🍞 bread 面包|🍎 apple 苹果|🍉 watermelon 西瓜|🍓 strawberry 草莓|🍰 cake 蛋糕|🍲 pot food 火锅|
🏠 home house 家|🚗 car 车|🚄 train 高铁 火车|✈️ plane 飞机|🚲 bike 自行车|⏰ alarm clock 闹钟|📅 calendar date 日历|📷 camera photo 相机|📞 phone 电话|💻 computer 电脑|📚 books 书|✏️ pencil write 写|💡 idea 主意|🔑 key 钥匙|🔒 lock 锁|💰 money 钱|🎵 music 音乐|⚽ ball football 足球|🏸 badminton 羽毛球|🏓 ping pong 乒乓|🎮 game 游戏|
✅ check done 完成|❌ cross no 错|❓ question 问|❗ important 重要|⚠️ warning 注意|🚀 rocket 火箭|👻 ghost 鬼|🤖 robot bot 机器人|💩 poop 便便|👑 crown 皇冠|🎓 graduate 毕业|➕ plus 加|🆗 ok 好的
`
  .split('|')
  .map((entry): [string, string] => {
    const [emoji = '', ...words] = entry.trim().split(' ')
    return [emoji, words.join(' ')]
  })

interface Props {
  title: string
  onPick: (emoji: string) => void
  onClose: () => void
}

/** A dialog to choose an emoji: the usual ones first, all others by groups, found by words of both languages. */
export function EmojiDialog({ title, onPick, onClose }: Props) {
  const [wanted, setWanted] = useState('')
  const words = t().room
  const lower = wanted.trim().toLowerCase()
  const found = lower ? EMOJI.filter(([, about]) => about.includes(lower)) : EMOJI
  const button = (emoji: string, about: string) => (
    <button type="button" class="emoji" title={about} aria-label={about || emoji} onClick={() => onPick(emoji)}>
      {emoji}
    </button>
  )
  return (
    <Dialog title={title} onClose={onClose} class="emojis">
      <input type="search" aria-label={words.emojiFind} placeholder={words.emojiFind} value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
      {!lower && <div class="usual">{USUAL.map((emoji) => button(emoji, ''))}</div>}
      <div class="all">{found.map(([emoji, about]) => button(emoji, about))}</div>
    </Dialog>
  )
}
