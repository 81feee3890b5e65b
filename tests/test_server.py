"""The routes beside Streamlit's."""

from cnnlab.ui import server


def test_every_route_is_told() -> None:
    routes = [route.path.replace("{", "<").replace("}", ">") for route in server.ROUTES]
    assert routes and all(f" {path} " in str(server.__doc__) or f" {path}?" in str(server.__doc__) for path in routes)
