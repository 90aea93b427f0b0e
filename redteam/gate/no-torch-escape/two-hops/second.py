from first import tools as shapes

__all__ = ["shapes"]
