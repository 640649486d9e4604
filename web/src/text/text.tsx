import type { ComponentChildren } from 'preact'

import { type Inline, parse } from './parse.ts'

interface Props {
  text: string
  /** This account, whose mentions stand out. */
  account: string
}

/** A text with its marks. It is isolated: letters that turn the direction of writing end with it. */
export function Text({ text, account }: Props) {
  return (
    <bdi class="text">
      {parse(text).map((block) => {
        switch (block.type) {
          case 'fence':
            return (
              <pre tabIndex={0}>
                <code>{block.text}</code>
              </pre>
            )
          case 'quote':
            return <blockquote>{draw(block.children, account)}</blockquote>
          case 'item':
            return (
              <span class="item">
                <span class="bullet">{/\d/.test(block.mark) ? block.mark : '• '}</span>
                <span>{draw(block.children, account)}</span>
              </span>
            )
          default:
            return (
              <>
                {draw(block.children, account)}
                {block.end}
              </>
            )
        }
      })}
    </bdi>
  )
}

function draw(nodes: Inline[], account: string): ComponentChildren {
  return nodes.map((node) => {
    switch (node.type) {
      case 'bold':
        return <strong>{draw(node.children, account)}</strong>
      case 'italic':
        return <em>{draw(node.children, account)}</em>
      case 'strike':
        return <s>{draw(node.children, account)}</s>
      case 'code':
        return <code>{node.text}</code>
      case 'link':
        return (
          <a href={node.href} target="_blank" rel="noopener noreferrer nofollow">
            {node.text}
          </a>
        )
      case 'mention':
        return <span class={node.account === account || node.account === 'all' ? 'at-me' : 'mention'}>{node.text}</span>
      default:
        return node.text
    }
  })
}

const HIDDEN = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Return a name in which letters that turn the direction of writing can be seen. */
export function shownName(name: string): string {
  return name.replace(HIDDEN, (letter) => `⟨U+${letter.codePointAt(0)!.toString(16).toUpperCase()}⟩`)
}
