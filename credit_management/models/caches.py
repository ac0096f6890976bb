def drop_caches(env):
    """Drop what is cached of what has changed: now, and again once others can see it.

    Until then another thread of this process may cache what was before, and
    nobody would tell it afterwards.
    """
    env.registry.clear_cache()
    env.cr.postcommit.add(env.registry.clear_cache)
