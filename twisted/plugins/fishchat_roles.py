"""The roles as ``twistd`` commands. This only names them; the modules build them."""

from twisted.application.service import ServiceMaker

gateway = ServiceMaker(
    "FishChat gateway",
    "fishchat.services.gateway.service",
    "Tells clients which msg_server to use",
    "fishchat-gateway",
)
msg_server = ServiceMaker(
    "FishChat msg_server",
    "fishchat.services.msg_server",
    "Holds clients, stores and delivers messages",
    "fishchat-msg",
)
router = ServiceMaker(
    "FishChat router", "fishchat.services.router.service", "Carries messages between msg_servers", "fishchat-router"
)
manager = ServiceMaker(
    "FishChat manager",
    "fishchat.services.manager.service",
    "Ends dead sessions and trims what is too old",
    "fishchat-manager",
)
monitor = ServiceMaker(
    "FishChat monitor", "fishchat.services.monitor.service", "Shows the state of every server", "fishchat-monitor"
)
all_roles = ServiceMaker("FishChat", "fishchat.services.launch.all_roles", "All roles in one process", "fishchat")
