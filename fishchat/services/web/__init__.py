"""HTTP for roles: ``site`` bounds connections and bodies, ``page`` answers, ``guard`` checks tokens."""
