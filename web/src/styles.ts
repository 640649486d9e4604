import './ui/tokens.css'
import './ui/base.css'
import './ui/widgets.css'
import './chat/frame.css'
