"""``fishchat demo``: people who talk on two msg_servers, one of which is killed meanwhile."""
