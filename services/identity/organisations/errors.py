"""What can be wrong with organisations."""

from shared.errors import Conflict


class OrganisationExists(Conflict):
    code = "organisation-exists"
