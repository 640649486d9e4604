/** Drawn at the build from `icons.ts`; until then, names only. */
export function Icon({ name }: { name: string }) {
  return <svg class="i" aria-hidden="true"><use href={`#${name}`} /></svg>
}
