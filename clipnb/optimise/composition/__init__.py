"""What a picture is besides its pixels: areas that stay or change, symmetry, what is done before it is shown."""
