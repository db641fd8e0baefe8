"""Run by Alembic's commands: revisions are applied over the connection that `alembic_config` was given."""

from alembic import context

from rag.archive_tables import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"], version_table=VERSION_TABLE, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
