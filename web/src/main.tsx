import './styles.ts'

import { render } from 'preact'

render(<p>鱼传 FishChat</p>, document.getElementById('app')!)
