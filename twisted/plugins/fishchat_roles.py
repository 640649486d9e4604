"""The roles as ``twistd`` commands: one plugin for each row of the table."""

from fishchat.services.roles import plugins

globals().update(plugins())
